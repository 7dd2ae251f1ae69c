# Asks several sources at once, in threads, fibers and children, and leaves out those that are late.
require 'open3'
require 'timeout'

def main(args)
  answers = Queue.new
  threads = args['sources'].map do |source|
    Thread.new { sleep(source['delay'] / 1000.0) && answers << source['name'] }
  end
  late = args['sources'].reject { |source| threads[args['sources'].index(source)].join(1) }
  echo, status = Open3.capture2e('sh', '-c', 'read word; echo $word; exit 3', stdin_data: "hi\n")
  slow = begin
    Timeout.timeout(0.05) { sleep }
  rescue Timeout::Error
    'given up'
  end
  numbers = Fiber.new { (1..).each { |number| Fiber.yield(number * number) } }
  {
    answers: Array.new(answers.size) { answers.pop }, late: late.map { |source| source['name'] }, echo: echo.strip,
    status: status.exitstatus, slow: slow, squares: Array.new(4) { numbers.resume }, shell: `expr 6 '*' 7`.to_i
  }
end
