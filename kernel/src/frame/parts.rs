//! Work on many rows, done by all cores.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

/// Rows from which on the work is shared: below, to start threads takes longer.
const WORTH: usize = 200_000;

/// Does work on stretches of pieces that hold so many rows each; the answers are in the pieces' order.
pub(super) fn in_parts<T: Send>(
    pieces: &[usize],
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let rows: usize = pieces.iter().sum();
    let workers = match thread::available_parallelism() {
        Ok(cores) if rows >= WORTH => cores.get().min(8),
        _ => 1,
    };
    let mut stretches = Vec::new();
    let (mut start, mut passed) = (0, 0);
    for (number, piece) in pieces.iter().enumerate() {
        passed += piece;
        if passed * workers >= rows * (stretches.len() + 1) || number + 1 == pieces.len() {
            stretches.push(start..number + 1);
            start = number + 1;
        }
    }
    if let [all] = stretches.as_slice() {
        return vec![work(all.clone())];
    }
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = stretches
            .into_iter()
            .map(|stretch| scope.spawn(move || work(stretch)))
            .collect();
        started
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_worked_on_once_and_in_order() {
        for pieces in [
            vec![],
            vec![5],
            vec![WORTH; 9],
            vec![10 * WORTH, 1, 1, 1],
            vec![1, 1, 1, 10 * WORTH],
        ] {
            let done: Vec<usize> = in_parts(&pieces, Iterator::collect::<Vec<_>>).concat();
            assert_eq!(done, (0..pieces.len()).collect::<Vec<_>>());
        }
    }
}
