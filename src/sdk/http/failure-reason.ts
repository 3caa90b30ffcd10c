const WANTS_CERTIFICATE = "the server demands a certificate: set tls.crt_file and tls.key_file";
const UNKNOWN = "no trusted authority has signed the server's certificate: see tls.ca_file";

/** What to say of errors whose own words help nobody who has not read OpenSSL. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED", WANTS_CERTIFICATE],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", WANTS_CERTIFICATE],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "the server refuses this client's TLS settings"],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "the server refuses this client's versions of TLS"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "the server does not know who signed tls.crt_file"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "the server refuses the certificate of tls.crt_file"],
  ["CERT_HAS_EXPIRED", "the server's certificate has expired"],
  ["CERT_NOT_YET_VALID", "the server's certificate is not valid yet"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", UNKNOWN],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", UNKNOWN],
  ["UNABLE_TO_GET_ISSUER_CERT", UNKNOWN],
  ["SELF_SIGNED_CERT_IN_CHAIN", UNKNOWN],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", UNKNOWN],
]);

/** Why a request failed, with the error's code. */
export function failureReason({ code, message }: NodeJS.ErrnoException): string {
  const text = REASONS.get(code ?? "") ?? message;
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}
