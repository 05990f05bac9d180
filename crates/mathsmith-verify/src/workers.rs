//! Independent pieces of work on several threads, their results taken in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

/// Runs `work(state, piece)` for every piece below `pieces` on `threads` threads, each with a state made by `init`, and
/// calls `take(piece, result)` on the calling thread in ascending order of pieces. Stops early when `take` returns
/// `false`, or at the first error in piece order.
pub(crate) fn in_order<St, R: Send, E: Send>(
    threads: usize,
    pieces: u64,
    init: impl Fn() -> Result<St, E> + Sync,
    work: impl Fn(&mut St, u64) -> Result<R, E> + Sync,
    mut take: impl FnMut(u64, R) -> bool,
) -> Result<(), E> {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    // The bound keeps finished pieces that wait for an earlier one from piling up.
    let (send, receive) = mpsc::sync_channel::<(u64, Result<R, E>)>(4 * threads.max(1));
    let mut outcome = Ok(());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1).min(pieces.max(1) as usize) {
            let (send, next, stop, init, work) = (send.clone(), &next, &stop, &init, &work);
            scope.spawn(move || {
                let mut state = match init() {
                    Ok(state) => state,
                    Err(e) => {
                        let piece = next.fetch_add(1, Ordering::Relaxed);
                        if piece < pieces {
                            // A closed channel means that the run has ended already.
                            let _ = send.send((piece, Err(e)));
                        }
                        return;
                    }
                };
                loop {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= pieces || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let result = work(&mut state, piece);
                    if send.send((piece, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let (mut waiting, mut due) = (BTreeMap::new(), 0);
        'receive: for (piece, result) in receive {
            waiting.insert(piece, result);
            while let Some(result) = waiting.remove(&due) {
                let go_on = match result {
                    Ok(r) => take(due, r),
                    Err(e) => {
                        outcome = Err(e);
                        false
                    }
                };
                if !go_on {
                    stop.store(true, Ordering::Relaxed);
                    break 'receive;
                }
                due += 1;
            }
        }
        // Dropping the receiver (moved into the loop) releases workers that wait to send.
    });
    outcome
}
