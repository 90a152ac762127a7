"""SQLAlchemy's engines for the ways that need them; rows of the source come as they are asked."""

from sqlalchemy import Engine, create_engine

from bench.lines import source_url, target_url


def engines() -> tuple[Engine, Engine]:
    """The source's and the target's."""
    streamed = {"stream_results": True}
    return create_engine(source_url(), execution_options=streamed), create_engine(target_url())
