"""Entry point of the command `target-thought-industries`."""

from target_thought_industries.command_line import main

if __name__ == "__main__":
    main()
