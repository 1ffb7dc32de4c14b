# syntax=docker/dockerfile:1.7
# The docket binary in an image: built in one stage, run in another that has nothing else.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Everything that the build keeps for its next time is in caches, so the binary is taken out of them at once.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package docket \
    && install -D --mode=0755 target/release/docket /out/docket

FROM debian:bookworm-slim
# For payment providers over HTTPS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/docket /usr/local/bin/docket
# Under the name of a service it is that service.
RUN for name in command-service projection-service saga-orchestrator notification-service payment-simulator gateway; do \
        ln -s docket "/usr/local/bin/$name"; \
    done
# A volume that is mounted at /data begins as this folder: owned by who writes there.
RUN groupadd --gid 10001 docket \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin docket \
    && install --directory --owner=docket --group=docket --mode=0700 /data
USER 10001:10001
WORKDIR /data
ENV DOCKET_LISTEN=0.0.0.0:8080 DOCKET_DATA_DIR=/data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=2m CMD ["docket", "health"]
ENTRYPOINT ["docket"]
CMD ["dev"]
