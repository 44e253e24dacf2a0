//! Where a lab's containers stand among everything that competes for the processor.

use bollard::models::{SystemInfo, SystemInfoCgroupDriverEnum};

/// The control group that a lab's containers are to be in; `None`: where the engine puts them.
///
/// With the cgroupfs driver an engine puts all containers into one group, `/docker`, which weighs as much as a single
/// process outside of it (cgroups(7), `cpu.shares`): on two processors a lab had to wait while the engine raised others.
/// In the root each container weighs as much as a process. With the systemd driver they are in `system.slice` beside the
/// engine itself, and a user's engine has no root of its own: both stay as they are.
pub(crate) fn parent(info: &SystemInfo) -> Option<&'static str> {
    let mut options = info.security_options.iter().flatten();
    let is_of_user = options.any(|option| option.starts_with("name=rootless"));
    let is_cgroupfs = info.cgroup_driver == Some(SystemInfoCgroupDriverEnum::CGROUPFS);
    (is_cgroupfs && !is_of_user).then_some("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_stand_in_the_root_where_the_engine_has_one_group_for_all() {
        use SystemInfoCgroupDriverEnum::{CGROUPFS, NONE, SYSTEMD};

        let of = |driver, option: &str| {
            parent(&SystemInfo {
                cgroup_driver: driver,
                security_options: Some(vec!["name=seccomp,profile=default".into(), option.into()]),
                ..SystemInfo::default()
            })
        };
        assert_eq!(of(Some(CGROUPFS), "name=cgroupns"), Some("/"));
        assert_eq!(of(Some(CGROUPFS), "name=rootless"), None);
        assert_eq!(of(Some(SYSTEMD), "name=cgroupns"), None);
        assert_eq!(of(Some(NONE), "name=rootless"), None);
        assert_eq!(of(None, "name=cgroupns"), None);
    }
}
