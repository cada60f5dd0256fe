import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints each record of a topic: partition, the partition that a Java producer chooses for the key, offset, key, value, and the
 * headers by name, separated by tabs.
 */
public class TopicPrinter {
  public static void main(String[] args) {
    String topic = args[1];
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    StringDeserializer text = new StringDeserializer();
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", args[0]), text, text)) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream().map(info -> new TopicPartition(topic, info.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        consumer.poll(Duration.ofMillis(200)).forEach(record -> {
          Map<String, String> headers = new TreeMap<>();
          for (Header header : record.headers()) {
            headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
          }
          byte[] key = record.key().getBytes(StandardCharsets.UTF_8);
          int expected = BuiltInPartitioner.partitionForKey(key, partitions.size());
          out.println(String.join("\t", String.valueOf(record.partition()), String.valueOf(expected),
              String.valueOf(record.offset()), record.key(), record.value(), headers.toString()));
        });
      }
    }
  }
}
