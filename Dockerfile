# tap-pluvo with Meltano, its targets and dbt: docs/how-to/container.md.
#
# Pin the base by digest in your own build, python:3.13-slim-bookworm@sha256:...; none stands here,
# since none could be looked up and tried where this was written.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/tap-pluvo
COPY Makefile meltano.yml pyproject.toml README.md LICENSE ./
COPY requirements requirements
COPY schemas schemas
COPY pluvo_singer pluvo_singer
COPY pluvo_client pluvo_client
COPY pluvo_sandbox pluvo_sandbox
COPY pluvo_webhooks pluvo_webhooks
COPY tap_pluvo tap_pluvo
COPY target_batch_files target_batch_files
COPY target_pluvo target_pluvo
COPY target_thought_industries target_thought_industries
COPY dbt dbt
COPY orchestrate/daily.sh orchestrate/daily.sh
RUN make image

FROM ${BASE}
RUN useradd --create-home --uid 10001 pluvo
WORKDIR /srv/tap-pluvo
COPY --from=build /srv/tap-pluvo ./
# What Meltano writes to; all else is read-only for the program.
RUN mkdir output && chown -R pluvo output .meltano
USER pluvo
ENV MELTANO_ENVIRONMENT=prod PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /srv/tap-pluvo/output
# Healthy while the last run is not older than 26 hours, for containers that stay.
HEALTHCHECK --interval=10m --timeout=10s --start-period=6h \
  CMD find output -maxdepth 2 -name metrics.prom -mmin -1560 | grep -q .
ENTRYPOINT [".venv-tools/meltano/bin/meltano"]
CMD ["run", "pluvo-to-duckdb"]
