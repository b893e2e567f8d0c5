"""The entry of `admf` and `python -m admf_cli`: the one place that turns faults into messages and exit codes."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import NoReturn

_NEW_OBJECTS_PER_COLLECTION = 500_000
_PATIENCE_S = 2.0


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Events wait in memory by the ten thousands without a cycle among them; by default, looking for cycles after every
    # 700 new objects is a sixth of a traced run.
    gc.set_threshold(_NEW_OBJECTS_PER_COLLECTION, 20, 20)
    # NumPy's BLAS is not used (its sums depend on the machine), but on being loaded it wakes a thread for each
    # processor, and those spin for as long as a tenth of a short run takes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from admf_cli.errors import AdmfError, InterruptedRunError, RunFailedError, StorageError
    from admf_cli.late import put_off_plugins

    put_off_plugins()  # Typer has pydantic read the parameters
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        from admf_cli.cli.app import app

        app()
    except InterruptedRunError as error:
        _complain(error)
        sys.exit(128 + error.signal_number)
    except AdmfError as error:
        if debug:
            raise
        _complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _leave_closed_pipe()
    except OSError as error:
        # Files are opened where their faults are named; what is left is what this process prints to.
        if debug:
            raise
        place = error.filename or "standard output"
        _complain(f"{place}: cannot be written: {error.strerror or error}; free the space, or print elsewhere")
        _leave_output(StorageError.exit_code)
    except MemoryError:
        if debug:
            raise
        _complain("there is not enough memory; take fewer symbols or bars, or lower max_events")
        sys.exit(RunFailedError.exit_code)
    except SystemExit as leaving:
        # Rich and Typer end with 1 when a reader has gone, which with us would be an answer.
        if isinstance(leaving.__context__, BrokenPipeError):
            _leave_closed_pipe()
        raise
    except Exception as error:
        if debug:
            raise
        _complain(
            f"this is a fault of ADMF itself: {type(error).__name__}: {error}\n"
            "run it again with --debug for the whole story, and please report it"
        )
        sys.exit(70)
    finally:
        _leave_threads(sys.exc_info()[1])
        if "duckdb" not in sys.modules:  # it takes what is left for leaks, and says so at length
            gc.freeze()  # the process ends: what is left need not be searched for cycles once more


def _leave_threads(leaving: BaseException | None) -> None:
    """Let threads that a strategy left running end, but not for long: Python itself would wait for them for ever."""
    if "threading" not in sys.modules:
        return
    import threading
    import time

    left = [thread for thread in threading.enumerate() if not (thread.daemon or thread is threading.main_thread())]
    if not left:
        return
    code = leaving.code if isinstance(leaving, SystemExit) and isinstance(leaving.code, int) else int(bool(leaving))

    def end() -> None:
        time.sleep(_PATIENCE_S)
        still = ", ".join(thread.name for thread in left if thread.is_alive())
        _complain(f"the strategy left threads running, and they were ended: {still}")
        sys.stdout.flush()
        os._exit(code)

    threading.Thread(target=end, daemon=True).start()


def _leave_closed_pipe() -> NoReturn:
    """End as if SIGPIPE had."""
    _leave_output(141)


def _leave_output(exit_code: int) -> NoReturn:
    """End without what is still to be printed: Python would complain once more when it flushes on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(exit_code)


def _complain(error: Exception | str) -> None:
    text = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in str(error))
    with contextlib.suppress(OSError, ValueError):  # the exit code counts, even where nobody can read the reason
        print(f"admf: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
