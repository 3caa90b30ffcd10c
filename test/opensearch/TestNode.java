import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * One OpenSearch node on loopback, with ports that are free. Arguments: its folder, and settings as key=value. Prints
 * "port N" when it is ready, and stops at the end of its standard input, so that it never outlives a test.
 */
public final class TestNode extends Node {
  private TestNode(Settings settings) {
    super(
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "test"),
        List.of(Netty4Plugin.class),
        true);
  }

  public static void main(String[] arguments) throws Exception {
    Settings.Builder settings =
        Settings.builder()
            .put("path.home", arguments[0])
            .put("cluster.name", "test")
            .put("node.name", "test")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.type", "netty4")
            .put("http.port", "0")
            .put("transport.type", "netty4")
            .put("transport.port", "0")
            .put("node.processors", 2)
            // A test must not depend on how full the machine's disk is.
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
    for (int i = 1; i < arguments.length; i++) {
      String[] setting = arguments[i].split("=", 2);
      settings.put(setting[0], setting[1]);
    }
    Node node = new TestNode(settings.build());
    node.start();
    HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
    System.out.println("port " + http.boundAddress().publishAddress().getPort());
    while (System.in.read() != -1) {}
    // Its data are a test's: nothing is worth the time of an orderly end.
    Runtime.getRuntime().halt(0);
  }
}
