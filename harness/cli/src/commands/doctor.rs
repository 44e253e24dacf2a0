//! `farcall doctor`: can this machine run labs, and what to do where it cannot.

use crate::exit::{Exit, Failure};
use farcall_lab::doctor::{self, Level};

pub(crate) async fn doctor(json: bool) -> Result<Exit, Failure> {
    let findings = doctor::examine().await;
    if json {
        let text = serde_json::to_string_pretty(&findings).map_err(Failure::infrastructure)?;
        println!("{text}");
    } else {
        for finding in &findings {
            println!("{finding}");
        }
    }
    let problem = findings
        .iter()
        .any(|finding| finding.level == Level::Problem);
    Ok(if problem {
        Exit::Infrastructure
    } else {
        Exit::Passed
    })
}
