# The one image of the project: Airflow's services and the `chotso` command differ only in what
# they run. Same interpreter, same lock and same editable install as `make` on a plain machine.
FROM python:3.11-slim-bookworm AS environment
COPY requirements.lock /build/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /build/requirements.lock

FROM python:3.11-slim-bookworm
# The owner of the secret files on the host: a key that others can read is refused.
ARG CHOTSO_UID=1000
RUN useradd --uid "${CHOTSO_UID}" --gid 0 --home-dir /var/lib/chotso --shell /usr/sbin/nologin chotso \
    && install -d -o chotso -g 0 -m 0750 \
        /var/lib/chotso /var/lib/chotso/landing /var/lib/chotso/releases /var/lib/chotso/drop \
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
USER chotso
CMD ["chotso", "--help"]
