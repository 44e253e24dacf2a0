//! The labs of a gate.

use crate::exit::Failure;
use crate::labs::Labs;
use farcall_gate::{NetworkCalls, Seen, due};
use farcall_report::duration;
use farcall_scenario::IceConfiguration;

/// A call: the number of its network in the baseline, and of its configuration.
type Call = (usize, usize);

/// What all networks have in common.
pub(super) struct Networks<'a> {
    pub labs: Labs,
    pub configurations: &'a [IceConfiguration],
    /// How often a call that is INVALID is placed again at most.
    pub retries: u32,
    /// How often each network is measured.
    pub repeat: u32,
}

/// What came of the labs.
#[derive(Default)]
pub(super) struct Ended {
    /// Of each call, once for each repetition, the runs in order.
    pub runs: Vec<(Call, Vec<Seen>)>,
    /// Why not all came to their ends.
    pub failure: Option<Failure>,
}

impl Ended {
    /// The runs of the first repetition of a call; none where it did not come to its end.
    pub(super) fn runs_of(&self, call: Call) -> &[Seen] {
        let mut runs = self.runs.iter();
        let found = runs.find(|(of, _)| *of == call);
        found.map_or(&[], |(_, runs)| runs.as_slice())
    }

    /// The run that counts of each repetition of each call in a network.
    pub(super) fn of_network(&self, network: usize) -> Vec<Seen> {
        let of_network = self.runs.iter().filter(|((of, _), _)| *of == network);
        let last = of_network.filter_map(|(_, runs)| runs.last());
        last.cloned().collect()
    }
}

impl Networks<'_> {
    /// Places all calls, several labs at the same time.
    pub(super) async fn all(&self, networks: &[NetworkCalls<'_>]) -> Ended {
        let mut runs = Vec::new();
        let each = networks.iter().flat_map(|network| {
            let repetitions = 1..=self.repeat;
            repetitions.map(move |_| self.one(network))
        });
        let came = self.labs.each(each, |ended| {
            runs.extend(ended);
            Ok(())
        });
        let failure = came.await.err();
        self.labs.board.close();
        Ended { runs, failure }
    }

    /// A call with each configuration in one lab, and those that are INVALID again in another.
    async fn one(&self, network: &NetworkCalls<'_>) -> Result<Vec<(Call, Vec<Seen>)>, Failure> {
        let mut placed: Vec<Vec<Seen>> = vec![Vec::new(); network.calls.len()];
        for attempt in 0_u32.. {
            let due = due(&placed, attempt, self.retries);
            if due.is_empty() || (attempt > 0 && self.labs.halt.is_cancelled()) {
                break;
            }
            let configurations = due.iter().map(|index| {
                let (_, number) = network.calls[*index];
                self.configurations[number].clone()
            });
            let configurations: Vec<IceConfiguration> = configurations.collect();
            let name = &network.scenario.name;
            let runs = match attempt {
                0 => {
                    let title = name.clone();
                    self.labs
                        .one(title, network.scenario, &configurations)
                        .await?
                }
                again => {
                    let title = format!("{name} again, since it was INVALID ({again})");
                    self.labs
                        .again(title, network.scenario, &configurations)
                        .await?
                }
            };
            for (index, run) in due.into_iter().zip(&runs) {
                self.labs.board.keep(&format!(
                    "{} {name} with {} in {}",
                    run.result.verdict,
                    run.result.ice_configuration,
                    duration(
                        run.result
                            .phases
                            .each()
                            .iter()
                            .filter_map(|(_, ms)| *ms)
                            .sum()
                    )
                ));
                placed[index].push(Seen::of(run));
            }
        }
        Ok(network.calls.iter().copied().zip(placed).collect())
    }
}
