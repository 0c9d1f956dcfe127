use super::*;

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_wait_for_what_a_cluster_says() {
    let mut cells = Cells::new(Box::new(Fake::default()));
    let (output, captured) = Output::captured();
    let cell = cell(output);
    let stop = cell.stop.clone();
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(cells.execute("%dryrun big", cell), cancel);
    assert_eq!(outcome, Outcome::Interrupted);
    assert!(captured.messages().is_empty());
}
