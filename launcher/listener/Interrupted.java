package firesteel;

import java.util.LinkedHashSet;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.connect.service.SparkListenerConnectOperationCanceled;

/**
 * Ends the jobs of an interrupted statement that begin after its interrupt.
 *
 * <p>Spark Connect cancels the jobs that an operation has when it is interrupted, once
 * (`ExecuteThreadRunner.interrupt`, Spark 4.3). Adaptive execution submits the jobs of its stages from
 * threads of its own, and those that come later run to their end, with nobody to hear of them
 * (`ShuffleExchangeLike.submitShuffleJob`).
 */
public final class Interrupted extends SparkListener {
  /** As {@code SparkContext.SPARK_JOB_TAGS} and its separator, which are Spark's own. */
  private static final String TAGS = "spark.job.tags";

  private static final String SEPARATOR = ",";

  private static final String WHY = "its statement was interrupted";

  /** How many statements are remembered; their stages come within seconds. */
  private static final int REMEMBERED = 1000;

  /** The tags of statements that were interrupted. Only the listener's own queue comes here. */
  private final LinkedHashSet<String> over = new LinkedHashSet<>();

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    if (event instanceof SparkListenerConnectOperationCanceled canceled) {
      over.add(canceled.jobTag());
      if (over.size() > REMEMBERED) {
        over.remove(over.iterator().next());
      }
      // Those that came between the interrupt and this event.
      SparkContext.getOrCreate().cancelJobsWithTag(canceled.jobTag(), WHY);
    }
  }

  @Override
  public void onJobStart(SparkListenerJobStart job) {
    String tags = job.properties() == null ? null : job.properties().getProperty(TAGS);
    if (tags == null || over.isEmpty()) {
      return;
    }
    for (String tag : tags.split(SEPARATOR)) {
      if (over.contains(tag)) {
        SparkContext.getOrCreate().cancelJob(job.jobId(), WHY);
        return;
      }
    }
  }
}
