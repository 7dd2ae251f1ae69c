# Waits for what never happens.
def main(args)
  Queue.new.tap { |queue| Thread.new { sleep } && queue.pop }
end
