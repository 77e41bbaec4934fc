"""Shows what Terraform would do in an empty account, without an account and without a provider.

Usage: python -m infra.stand_in FOLDER [ARGUMENTS OF terraform plan]

FOLDER is one of infra/, such as environments/dev; its terraform.tfvars is used, or else its example. What is computed
is made up, and AWS is asked nothing. Exit 0: it can be planned. 1: it cannot.
"""

import shutil
import sys

from infra.stand_in.terraform import Failed, terraform

_VALUES = "terraform.tfvars"


def main(arguments: list[str]) -> int:
    """Print a plan; the exit code."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if shutil.which("terraform") is None:
        sys.stderr.write("stand_in: there is no terraform here; install it, 1.11 or newer\n")
        return 2
    with terraform() as program:
        folder = program.infra / arguments[0].removeprefix("infra/")
        if not folder.is_dir() or program.infra not in folder.resolve().parents:
            sys.stderr.write(f"stand_in: infra/ has no folder {arguments[0]!r}; try environments/dev\n")
            return 2
        example = folder / f"{_VALUES}.example"
        if example.exists() and not (folder / _VALUES).exists():
            example.rename(folder / _VALUES)
        try:
            program.initialized(folder)
            print(program.run(folder, "plan", "-input=false", *arguments[1:]))
        except Failed as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
