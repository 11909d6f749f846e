"""What happens to one exchange? Classified by parsing, watched as it passes, recorded once.

Pure: no socket, no clock, no file, no settings. Time comes as an argument; events leave through a
callable that somebody else made.
"""
