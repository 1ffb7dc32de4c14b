//! NGINX before the command-service, where it is installed: it passes on, and does nothing else.

use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::platform::{PATIENCE, Process, free_address, until_ready};

/// Where Debian puts it, beside what is in the path.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// Starts it before this address. Where it answers, and what it keeps meanwhile; nothing where it is not installed.
pub(super) async fn start(to: &str) -> Result<Option<(String, Process, TempDir)>> {
    let runs = |program: &&&str| std::process::Command::new(program).arg("-v").output().is_ok();
    let Some(program) = PROGRAMS.iter().find(runs) else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, settings(folder.path(), &address, to))?;
    let mut command = Command::new(program);
    command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
    let process = Process::start("NGINX", command).context("NGINX does not start")?;
    until_ready(&address, PATIENCE).await?;
    Ok(Some((address, process, folder)))
}

/// As many workers as cores, connections to the service that are kept, and no log.
fn settings(folder: &Path, listen: &str, to: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            keepalive_requests 1000000000;
            upstream service {{ server {to}; keepalive 1024; keepalive_requests 1000000000; }}
            server {{
                listen {listen};
                location / {{
                    proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $http_host;
                }}
            }}
        }}"
    )
}
