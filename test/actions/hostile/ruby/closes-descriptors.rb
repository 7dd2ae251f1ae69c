# Closes every descriptor.
def main(args)
  1024.times do |fd|
    IO.for_fd(fd).close
  rescue SystemCallError, ArgumentError
    next
  end
  { answered: true }
end
