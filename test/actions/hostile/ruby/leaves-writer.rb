# Leaves a child that holds the runtime's channel and outputs, and writes into them after the answer.
def main(args)
  fork do
    sleep 0.1
    loop do
      [1, 2, 3].each do |fd|
        IO.for_fd(fd, autoclose: false).syswrite("#{args['marker']}\n")
      rescue SystemCallError
        next
      end
    end
  end
  { left: true }
end
