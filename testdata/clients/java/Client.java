import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.util.Scanner;
import software.amazon.awssdk.awscore.AwsResponse;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.kinesisvideo.KinesisVideoClient;
import software.amazon.awssdk.services.kinesisvideoarchivedmedia.KinesisVideoArchivedMediaClient;
import software.amazon.awssdk.utils.SdkAutoCloseable;
import software.amazon.awssdk.utils.builder.SdkBuilder;

/** Makes calls with the AWS SDK for Java. A call is a line of JSON on stdin, its result a line on stdout. */
public class Client {
  // Requests and responses are read and written as their builders, which are beans.
  static final JsonMapper JSON = JsonMapper.builder()
      .addModule(new JavaTimeModule())
      .propertyNamingStrategy(PropertyNamingStrategies.UPPER_CAMEL_CASE)
      .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES)
      .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
      .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
      .build();

  public static void main(String[] args) throws Exception {
    Scanner lines = new Scanner(System.in);
    while (lines.hasNextLine()) {
      ObjectNode result = JSON.createObjectNode();
      try {
        make(JSON.readTree(lines.nextLine()), result.putArray("pages"));
      } catch (AwsServiceException e) {
        result.putObject("error")
            .put("type", e.getClass().getSimpleName())
            .put("code", e.awsErrorDetails().errorCode())
            .put("status", e.statusCode())
            .put("requestId", e.requestId());
      }
      System.out.println(JSON.writeValueAsString(result));
    }
  }

  static void make(JsonNode call, ArrayNode pages) throws Exception {
    String operation = call.get("operation").asText();
    boolean media = operation.equals("GetImages");
    Class<?> api = media ? KinesisVideoArchivedMediaClient.class : KinesisVideoClient.class;
    AwsClientBuilder<?, ?> builder = media ? KinesisVideoArchivedMediaClient.builder() : KinesisVideoClient.builder();
    if (call.has("endpoint")) {
      builder.endpointOverride(URI.create(call.get("endpoint").asText()));
    }
    Class<?> type = Class.forName(api.getPackageName() + ".model." + operation + "Request");
    Class<?> bean = (Class<?>) type.getMethod("serializableBuilderClass").invoke(null);
    Object request = ((SdkBuilder<?, ?>) JSON.treeToValue(call.get("input"), bean)).build();
    String method = operation.substring(0, 1).toLowerCase() + operation.substring(1);
    int most = call.path("pages").asInt();
    try (SdkAutoCloseable client = (SdkAutoCloseable) builder.build()) {
      if (most == 0) {
        pages.add(page(api.getMethod(method, type).invoke(client, request)));
        return;
      }
      for (Object page : (Iterable<?>) api.getMethod(method + "Paginator", type).invoke(client, request)) {
        if (pages.add(page(page)).size() == most) {
          return;
        }
      }
    } catch (InvocationTargetException e) {
      throw (Exception) e.getCause();
    }
  }

  static JsonNode page(Object response) {
    return JSON.valueToTree(((AwsResponse) response).toBuilder());
  }
}
