# The image of the project: Airflow's services and the `chotso` command differ only in what
# they run. Same interpreter, same lock and same editable install as `make` on a plain machine.
FROM python:3.11-slim-bookworm AS environment
COPY requirements.lock /build/
COPY docker/requirements.lock /build/services.lock
# What services on more than one machine add: Celery, and users in Airflow's database.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /build/requirements.lock \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /build/services.lock \
    && AIRFLOW_HOME=/tmp /opt/venv/bin/python -c "import \
        airflow.providers.celery.executors.celery_executor, \
        airflow.providers.fab.auth_manager.fab_auth_manager"

FROM python:3.11-slim-bookworm AS superset-environment
COPY bi/requirements.lock /build/
RUN python -m venv /opt/venv-bi \
    && /opt/venv-bi/bin/pip install --no-cache-dir --require-hashes --no-deps -r /build/requirements.lock \
    && /opt/venv-bi/bin/pip check

# Superset pins other versions of what the project uses: an image of its own (--target superset).
FROM python:3.11-slim-bookworm AS superset
ARG CHOTSO_UID=1000
RUN useradd --uid "${CHOTSO_UID}" --gid 0 --home-dir /tmp --shell /usr/sbin/nologin chotso \
    && install -d -o chotso -g 0 -m 0700 /var/lib/chotso/bi
COPY --from=superset-environment /opt/venv-bi /opt/venv-bi
WORKDIR /opt/chotso
COPY bi bi
COPY docker/bin docker/bin
ENV PATH=/opt/venv-bi/bin:/usr/local/bin:/usr/bin:/bin \
    LC_ALL=C.UTF-8 \
    TZ=UTC \
    HOME=/tmp \
    PYTHONPATH=/opt/chotso/bi \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SUPERSET_CONFIG_PATH=/opt/chotso/bi/superset_config.py
USER ${CHOTSO_UID}:0

# A door to the drop folder: SFTP alone, locked up in that folder (--target sftp). Its user has no
# password that anybody could type (*); one that is locked (!) sshd would not let in with a key.
FROM debian:bookworm-slim AS sftp
ARG CHOTSO_UID=1000
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openssh-server \
    && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \
    && useradd --uid "${CHOTSO_UID}" --gid 0 --home-dir / --shell /usr/sbin/nologin --password '*' delivery \
    && install -d -o root -g root -m 0755 /srv/sftp \
    && install -d -o delivery -g 0 -m 0750 /srv/sftp/drop
COPY docker/sshd_config /etc/ssh/sshd_config
EXPOSE 2222
CMD ["sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e"]

FROM python:3.11-slim-bookworm
# The owner of the secret files on the host: a key that others can read is refused.
ARG CHOTSO_UID=1000
RUN useradd --uid "${CHOTSO_UID}" --gid 0 --home-dir /var/lib/chotso --shell /usr/sbin/nologin chotso \
    && install -d -o chotso -g 0 -m 0750 \
        /var/lib/chotso /var/lib/chotso/watch /var/lib/chotso/landing /var/lib/chotso/releases /var/lib/chotso/drop \
        /var/lib/chotso/bi /var/lib/chotso/drafts /var/lib/chotso-backup \
        /var/lib/airflow /var/log/airflow
COPY --from=environment /opt/venv /opt/venv
WORKDIR /opt/chotso
COPY . .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/pip check
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    LC_ALL=C.UTF-8 \
    TZ=UTC \
    PYTHONPATH=/opt/chotso \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1 \
    OMP_NUM_THREADS=1 \
    DO_NOT_TRACK=1 \
    SCARF_NO_ANALYTICS=true \
    GX_ANALYTICS_ENABLED=false \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    AIRFLOW_HOME=/var/lib/airflow \
    CHOTSO_HOME=/var/lib/chotso
# A number, so that Kubernetes can see that it is not root.
USER ${CHOTSO_UID}:0
CMD ["chotso", "--help"]
