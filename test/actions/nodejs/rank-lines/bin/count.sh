#!/bin/sh
# Counts the lines it is given.
wc -l | tr -d " "
