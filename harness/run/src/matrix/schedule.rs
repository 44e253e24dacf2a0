//! Which call is next.

use farcall_plan::Cell;
use std::collections::BTreeSet;

/// The cells that wait, and the peers that are in a call.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    cells: &'a [Cell],
    waiting: Vec<usize>,
    busy: BTreeSet<&'a str>,
}

impl<'a> Schedule<'a> {
    /// All cells wait, in order.
    pub fn new(cells: &'a [Cell]) -> Self {
        Self {
            cells,
            waiting: (0..cells.len()).collect(),
            busy: BTreeSet::new(),
        }
    }

    /// Takes the first cell that waits and whose peers are both free, and makes them busy.
    pub fn take(&mut self) -> Option<usize> {
        let is_free = |index: &usize| {
            let call = &self.cells[*index].call;
            !self.busy.contains(call.offerer.as_str())
                && !self.busy.contains(call.answerer.as_str())
        };
        let position = self.waiting.iter().position(is_free)?;
        let index = self.waiting.remove(position);
        self.busy.extend(peers(&self.cells[index]));
        Some(index)
    }

    /// The peers of a cell are free again.
    pub fn release(&mut self, index: usize) {
        for peer in peers(&self.cells[index]) {
            self.busy.remove(peer);
        }
    }
}

fn peers(cell: &Cell) -> [&str; 2] {
    [&cell.call.offerer, &cell.call.answerer]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_plan::{MatrixCall, plan_matrix};
    use farcall_scenario::{IceConfiguration, Matrix};

    #[test]
    fn a_busy_peer_is_not_called_and_every_cell_has_its_turn() {
        let matrix = Matrix::libwebrtc()
            .only(&["open", "full-cone", "symmetric"])
            .unwrap();
        let ice = IceConfiguration::libwebrtc();
        let plan = plan_matrix(&matrix, &ice, MatrixCall::default(), 1).unwrap();
        let mut schedule = Schedule::new(&plan.cells);
        let mut placed = BTreeSet::new();
        let mut under_way = Vec::new();
        while placed.len() < plan.cells.len() {
            while let Some(index) = schedule.take() {
                for other in &under_way {
                    let [a, b]: [usize; 2] = [index, *other];
                    let both = [peers(&plan.cells[a]), peers(&plan.cells[b])].concat();
                    assert_eq!(both.iter().collect::<BTreeSet<_>>().len(), 4);
                }
                under_way.push(index);
            }
            assert_eq!(under_way.len(), 3, "a Latin square keeps all peers busy");
            for index in under_way.drain(..) {
                schedule.release(index);
                assert!(placed.insert(index));
            }
        }
        assert_eq!(schedule.take(), None);
    }
}
