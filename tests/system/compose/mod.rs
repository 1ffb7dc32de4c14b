//! `docker-compose.yml` and `Dockerfile`, as far as they can be held to account without a container engine.

mod checks;
mod file;
mod start;
