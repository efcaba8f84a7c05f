"""From a trained model to files that work without progfix.

`exporting.export` is the one way in; nothing is imported here, so that the command line
can name the formats without torch.
"""
