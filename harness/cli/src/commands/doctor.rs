//! `farcall doctor`: can this machine run labs, and what to do where it cannot.

use crate::exit::{Exit, Failure};
use crate::output;
use farcall_lab::doctor::{self, Finding, Status};

pub(crate) async fn doctor(json: bool) -> Result<Exit, Failure> {
    let findings = doctor::examine(std::env::current_exe().ok().as_deref()).await;
    if json {
        let text = serde_json::to_string_pretty(&findings).map_err(Failure::infrastructure)?;
        output::line(&text)?;
    } else {
        for finding in &findings {
            print(finding)?;
        }
    }
    let problem = findings
        .iter()
        .any(|finding| finding.status == Status::Problem);
    Ok(if problem {
        Exit::Infrastructure
    } else {
        Exit::Passed
    })
}

fn print(finding: &Finding) -> std::io::Result<()> {
    let status = match finding.status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Problem => "PROBLEM",
    };
    output::line(format_args!(
        "{status:<8} {:<16} {}",
        finding.name, finding.found
    ))?;
    if let Some(advice) = &finding.advice {
        output::line(format_args!("         hint: {advice}"))?;
    }
    Ok(())
}
