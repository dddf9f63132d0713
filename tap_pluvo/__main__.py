"""Entry point of the command `tap-pluvo`."""

from tap_pluvo.command_line import main

if __name__ == "__main__":
    main()
