#!/bin/sh
# Writes the root file system of the base image, as a tar archive, to standard output.
#
#   import-base.sh WORK PACKAGES
#
# WORK is an empty directory for everything in between, PACKAGES the list of packages. Needs no
# registry, no root and no package beyond those of any Debian or Ubuntu: apt fetches from the
# sources of this host, and dpkg-deb unpacks. Nothing of this host's package state is read or
# changed. The packages' own scripts are not run; what they would have done stands below.
set -eu

work=$1
packages=$(sed -e 's/#.*//' "$2")
tree=$work/tree

say() { echo "$*" >&2; }

for tool in apt-get dpkg-deb tar; do
    command -v "$tool" >/dev/null || { say "$tool is not installed on this host"; exit 1; }
done

# An empty status file makes apt fetch all that the packages need, down to the C library. The
# hooks of this host's apt are for its own packages.
mkdir -p "$work/lists/partial" "$work/archives/partial" "$tree"
: >"$work/status"
cat >"$work/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "$work";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Log "$work";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
CONF

say "reading the package lists of this host's sources"
apt-get -c "$work/apt.conf" -q update >&2
say "downloading packages"
# shellcheck disable=SC2086 # one word a package
apt-get -c "$work/apt.conf" -q -y --download-only install $packages >&2

# The links come before the packages, so that /bin and /usr/bin are one on any release.
for dir in bin sbin lib lib64; do
    mkdir -p "$tree/usr/$dir"
    ln -s "usr/$dir" "$tree/$dir"
done

# Packages that only packages' own scripts use; perl alone is a third of the whole.
needless='adduser|debconf|dpkg|perl|perl-base|perl-modules-.*|libperl.*|lib.*-perl|usrmerge'
debs=$(ls "$work/archives" | grep '\.deb$' | grep -Evx "($needless)_.*")

# Names and options of a file are as in the package, but the owner is root throughout: without
# root there is no other, and no tool of the image needs one.
say "unpacking $(echo "$debs" | wc -l) packages"
for deb in $debs; do
    dpkg-deb --fsys-tarfile "$work/archives/$deb" |
        tar -x -p -C "$tree" --keep-directory-symlink --no-same-owner \
            --exclude='./usr/share/doc/*' --exclude='./usr/share/info/*' \
            --exclude='./usr/share/lintian/*' --exclude='./usr/share/locale/*' \
            --exclude='./usr/share/man/*' --exclude='./usr/lib/*/gconv/*'
done

# What the packages' scripts would have done, as far as the tools rest on it.
cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
echo "tcpdump:x:100:65534::/nonexistent:/usr/sbin/nologin" >>"$tree/etc/passwd"
echo "hosts: files dns" >"$tree/etc/nsswitch.conf"
ln -sf dash "$tree/usr/bin/sh"
rm -rf "$tree/var/run" "$tree/var/lock"
ln -s /run "$tree/var/run"
ln -s /run/lock "$tree/var/lock"
mkdir -p "$tree/run/lock" "$tree/tmp" "$tree/var/log" "$tree/root"
chmod 1777 "$tree/tmp" "$tree/run/lock"

say "packing the file system"
tar -c -C "$tree" --owner=0 --group=0 --numeric-owner .
