//! A fault that was not in effect was none.

use super::recovered;
use crate::CheckVerdict::{Invalid, Pass};
use crate::Verdict;
use crate::sample::Sample;
use farcall_plan::LeastDelay;
use farcall_timeline::{Crossed, Crossing, Event, FaultEdge};

#[test]
fn a_fault_that_dropped_nothing_is_no_fault() {
    let mut sample = recovered();
    sample.change(|event| {
        if let Event::Fault(fault) = event {
            fault.dropped_packets = fault.dropped_packets.map(|_| 0);
        }
    });
    assert_eq!(sample.check("faults/1").verdict, Invalid);
    assert_eq!(sample.judge().verdict, Verdict::Invalid);
}

/// The link is changed to one whose packets take 250 ms and more up and 40 and more down.
fn changed(crossed: Option<Crossed>) -> Sample {
    let mut sample = recovered();
    let fault = &mut sample.declared.expect.faults[0];
    fault.drops = false;
    fault.least_delay = Some(LeastDelay {
        up_us: 250_000,
        down_us: 40_000,
    });
    sample.change(|event| {
        if let Event::Fault(fault) = event
            && fault.edge == FaultEdge::Mended
        {
            fault.crossed = crossed;
        }
    });
    sample
}

#[test]
fn a_changed_link_that_packets_cross_too_fast_or_not_at_all_was_not_changed() {
    let crossing = |packets, shortest_ms| Crossing {
        packets,
        shortest_ms,
    };
    let check = |up, down| changed(Some(Crossed { up, down })).check("faults/1");
    let (slow, as_slow) = (crossing(90, Some(250.0)), crossing(80, Some(41.5)));
    let right = check(slow, as_slow);
    assert_eq!(right.verdict, Pass, "{right:?}");
    assert_eq!(
        right.observed,
        "up 90 packets, the fastest in 250.0 ms; down 80 packets, the fastest in 41.5 ms"
    );
    assert_eq!(check(crossing(90, Some(249.0)), as_slow).verdict, Invalid);
    assert_eq!(check(slow, crossing(80, Some(39.0))).verdict, Invalid);
    assert_eq!(check(crossing(0, None), as_slow).verdict, Pass);
    assert_eq!(check(crossing(0, None), crossing(0, None)).verdict, Invalid);
    // A link that loses everything delays nothing.
    assert_eq!(check(crossing(90, None), as_slow).verdict, Pass);
    assert_eq!(changed(None).check("faults/1").verdict, Invalid);
}
