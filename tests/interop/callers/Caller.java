import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Send a recording with the JDK's client, which has no forms: java Caller.java URL ACCEPT FILE. */
class Caller {
  public static void main(String[] arguments) throws Exception {
    var body = new ByteArrayOutputStream();
    var disposition = "--line\r\nContent-Disposition: form-data; name=";
    if (arguments.length > 2) {
      body.write((disposition + "\"audio\"; filename=\"question.wav\"\r\n\r\n").getBytes());
      body.write(Files.readAllBytes(Path.of(arguments[2])));
      body.write("\r\n".getBytes());
    }
    body.write((disposition + "\"voice\"\r\n\r\nnova\r\n--line--\r\n").getBytes());
    var request =
        HttpRequest.newBuilder(URI.create(arguments[0]))
            .timeout(Duration.ofSeconds(60))
            .header("Accept", arguments[1])
            .header("X-OpenAI-API-Key", System.getenv("KEY"))
            .header("Content-Type", "multipart/form-data; boundary=line")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()))
            .build();
    // It asks for HTTP/2 first (`Upgrade: h2c`), as it does by default.
    var answer =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray());
    System.err.println(answer.statusCode());
    System.out.write(answer.body());
    System.out.flush();
  }
}
