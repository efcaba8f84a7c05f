"""The command line: parse, call one worker, render."""
