//! What this machine has and lacks for raising labs, and what to do about it.

mod kernel;
mod machine;
mod probe;

use std::path::Path;

use serde::Serialize;

use crate::engine::Engine;
use crate::images::{ImageError, base_reference, existing_agent_image, existing_base_image};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub name: &'static str,
    /// How it stands.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it; nothing where all is well.
    pub advice: Option<String>,
}

/// How serious a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Labs can be raised, but something will take longer, or soon not work.
    Warning,
    /// No lab, or none of some kind, can be raised until this is mended.
    Problem,
}

impl Finding {
    pub(crate) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            status: Status::Ok,
            found: found.into(),
            advice: None,
        }
    }

    pub(crate) fn warning(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            name,
            status: Status::Warning,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    pub(crate) fn problem(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            name,
            status: Status::Problem,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    /// A failure whose message may end with a hint, which becomes the advice.
    fn failure(name: &'static str, error: &dyn std::error::Error, otherwise: &str) -> Self {
        let text = error.to_string();
        match text.split_once("\nhint: ") {
            Some((found, advice)) => Self::problem(name, found, advice),
            None => Self::problem(name, text, otherwise),
        }
    }
}

/// Looks at everything that a lab rests on. `executable` is the one whose agent image to look
/// for. Nothing is changed; where the base image is there, two short-lived containers without any
/// network try the kernel.
pub async fn examine(executable: Option<&Path>) -> Vec<Finding> {
    let engine = match Engine::connect().await {
        Ok(engine) => engine,
        Err(error) => return vec![Finding::failure("docker", &error, "see `docker version`")],
    };
    let info = &engine.info;
    let mut findings = vec![
        Finding::ok(
            "docker",
            format!(
                "engine {}, API {}, kernel {}",
                info.version, info.api, info.kernel
            ),
        ),
        machine::platform(info),
        machine::disk(&engine).await,
    ];
    let base = match existing_base_image(&engine).await {
        Ok(base) => base,
        Err(error) => {
            findings.push(image_failure("base image", &error));
            return findings;
        }
    };
    findings.push(machine::recipe(&engine, base.is_some()).await);
    let Some(base) = base else {
        let absent = format!("{} is not built yet", base_reference());
        let advice =
            "the next `farcall run` builds it, and then `farcall doctor` can try the kernel";
        findings.push(Finding::warning("base image", absent, advice));
        return findings;
    };
    findings.push(Finding::ok("base image", base.reference.clone()));
    if let Some(executable) = executable {
        findings.push(match existing_agent_image(&engine, executable).await {
            Ok(Some(image)) => Finding::ok("agent image", image.reference),
            Ok(None) => Finding::ok(
                "agent image",
                "not built yet; the next run does it in seconds",
            ),
            Err(error) => image_failure("agent image", &error),
        });
    }
    findings.push(kernel::features(&engine, &base).await);
    findings.push(kernel::tun(&engine, &base).await);
    findings
}

fn image_failure(name: &'static str, error: &ImageError) -> Finding {
    Finding::failure(name, error, "see `docker images`, and try `farcall run`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineError;

    #[test]
    fn the_hint_of_an_error_becomes_the_advice() {
        let error = EngineError::Missing {
            host: "unix:///x".to_owned(),
        };
        let finding = Finding::failure("docker", &error, "");
        assert_eq!(finding.status, Status::Problem);
        assert!(finding.found.ends_with("unix:///x"), "{}", finding.found);
        assert!(
            finding
                .advice
                .is_some_and(|advice| advice.starts_with("install"))
        );
    }

    #[test]
    fn a_problem_outranks_a_warning() {
        assert!(Status::Ok < Status::Warning && Status::Warning < Status::Problem);
    }
}
