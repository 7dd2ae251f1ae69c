# Reads where the runtime reads: there is nothing to come.
def main(args)
  IO.for_fd(3, autoclose: false).sysread(1)
  { answered: true }
end
