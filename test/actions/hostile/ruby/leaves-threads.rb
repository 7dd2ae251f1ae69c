# Leaves threads: one busy, one asleep, one in a system call, fibers, and a process of its own of Ruby's.
def main(args)
  $left = [-> { loop {} }, -> { sleep 600 }, -> { IO.pipe.first.read }, -> { Queue.new.pop }].map do |work|
    Thread.new(&work).tap { |thread| thread.name = args['marker'] }
  end
  $fiber = Fiber.new { Fiber.yield(args['marker']) }.tap(&:resume)
  $ractor = Ractor.new(args['marker'].dup.freeze) { |marker| Ractor.receive && marker }
  { left: Thread.list.size > 1 }
end
