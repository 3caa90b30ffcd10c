# The collector in an image of its own: one executable, the C library it needs, and nothing to run besides it.
#
#   npm run image                                                # builds it with docker, podman or buildah
#   docker build -t logcollector .                               # the same by hand
#   docker build --build-arg BINARY=dist/logcollector-linux-x64-compact …   # with an executable that is there already
#
# docs/image.md says what is in it and how to run it.

ARG NODE_IMAGE=node:22-bookworm-slim
ARG DEBIAN_IMAGE=debian:bookworm-slim

# The C library comes from here, file by file. Nothing of it is run, so its platform may be another than the builder's.
FROM ${DEBIAN_IMAGE} AS system

FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts/setup.mjs scripts/
ARG BINARY=
# Deno is for the style of the sources alone, and half of everything.
RUN [ -n "$BINARY" ] || { npm pkg delete devDependencies.deno && node scripts/setup.mjs; }
COPY . .
ARG TARGETARCH=amd64
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image-root.sh "$TARGETARCH" "$BINARY" /root-fs
COPY --from=system \
  /usr/lib/*-linux-gnu/ld-linux-*.so.* \
  /usr/lib/*-linux-gnu/libc.so.6 \
  /usr/lib/*-linux-gnu/libdl.so.2 \
  /usr/lib/*-linux-gnu/libm.so.6 \
  /usr/lib/*-linux-gnu/libpthread.so.0 \
  /usr/lib/*-linux-gnu/libresolv.so.2 \
  /root-fs/usr/lib/
RUN find /root-fs -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
COPY --from=build /root-fs /
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=
LABEL org.opencontainers.image.title="logcollector" \
  org.opencontainers.image.description="A fast, safe log collector: files, journal and sockets in, any destination out, plugins in TypeScript" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.source="${SOURCE}" \
  org.opencontainers.image.created="${CREATED}"
# Queues, positions and dead letters; with a read-only root file system this is the one place that is written to.
VOLUME /var/lib/logcollector
ENTRYPOINT ["/usr/bin/logcollector"]
CMD ["-c", "/etc/logcollector/logcollector.yaml"]
