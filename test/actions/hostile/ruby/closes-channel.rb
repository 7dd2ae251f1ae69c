# Closes the descriptor on which the runtime answers.
def main(args)
  IO.for_fd(3).close
  { answered: true }
end
