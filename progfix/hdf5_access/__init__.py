"""Opening HDF5 files of unknown origin: a child process looks first, nothing is followed."""
