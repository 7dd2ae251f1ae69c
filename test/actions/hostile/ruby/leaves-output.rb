# Leaves output unfinished: in Ruby's buffers, a line without an end, and a thread that goes on printing.
def main(args)
  STDOUT.sync = false
  print args['marker']
  $stderr.print "#{args['marker']} half a line"
  STDOUT.syswrite('no newline')
  Thread.new do
    loop do
      sleep 0.001
      puts "#{args['marker']} too late"
      STDOUT.flush
    end
  end
  { left: true }
end
