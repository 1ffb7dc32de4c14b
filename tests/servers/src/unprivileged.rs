//! PostgreSQL refuses to run as root: then another user owns its folder and runs it.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Who may run a server, best first.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// What `nobody` is where no list of users says otherwise.
const NOBODY: u32 = 65_534;

/// The user that runs a server; `None` is the one who runs the test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User(Option<(u32, u32)>);

impl User {
    /// Whoever runs the test, unless that is root.
    pub(crate) fn find() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self(None);
        }
        let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = USERS.iter().find_map(|user| list.lines().find_map(|line| ids(line, user)));
        Self(Some(found.unwrap_or((NOBODY, NOBODY))))
    }

    /// Whoever runs the test, root or not.
    pub(crate) fn same() -> Self {
        Self(None)
    }

    /// Gives a folder to the user.
    pub(crate) fn owns(self, folder: &Path) -> io::Result<()> {
        match self.0 {
            Some((user, group)) => chown(folder, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// Runs a command as the user.
    pub(crate) fn runs(self, command: &mut Command) -> &mut Command {
        match self.0 {
            Some((user, group)) => command.uid(user).gid(group),
            None => command,
        }
    }
}

/// User and group of a line of `/etc/passwd`.
fn ids(line: &str, user: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    (fields.next()? == user).then_some(())?;
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        assert_eq!(ids("nobody:x:7:8:nobody:/:/bin/false", "nobody"), Some((7, 8)));
        assert_eq!(ids("nobody2:x:7:8:nobody:/:/bin/false", "nobody"), None);
    }
}
