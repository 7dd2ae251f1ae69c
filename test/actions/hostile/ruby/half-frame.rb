# Writes the head of a very long frame where the runtime answers.
def main(args)
  IO.for_fd(3, autoclose: false).syswrite("\xff\xff\xff\x7f\x01\x02\x03".b)
  { answered: true }
end
