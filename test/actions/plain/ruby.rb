# Runs one Ruby action once, by OpenWhisk's rules and nothing else; the answer goes to descriptor 3.
require 'json'

def told(error)
  warn error.full_message(highlight: false)
  error.message
end

job = JSON.parse(File.read(ARGV.first))
main = File.join(job['folder'], 'main.rb')
File.write(main, job['source']) if job.key?('source')
Dir.chdir(job['folder'])
outcome = begin
  require main
  handler = method(job['main'])
  begin
    { phase: 'run', result: handler.call(job['value']) }
  rescue StandardError => error
    { phase: 'run', failed: told(error) }
  end
rescue ScriptError, StandardError => error
  { phase: 'init', failed: told(error) }
end
$stdout.flush
IO.for_fd(3).tap { |stream| stream.sync = true }.write(JSON.generate(outcome))
exit!(0)
