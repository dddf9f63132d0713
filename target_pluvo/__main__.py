"""Entry point of the command `target-pluvo`."""

from target_pluvo.command_line import main

if __name__ == "__main__":
    main()
