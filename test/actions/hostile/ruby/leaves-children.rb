# Leaves children: asleep, busy, a daemon that left its session, a zombie, and one that ignores what it can.
def stubborn
  (1..64).each do |number|
    trap(number, 'IGNORE')
  rescue ArgumentError, SystemCallError
    next
  end
  Process.setsid
  sleep 600
end

def main(args)
  [-> { sleep 600 }, -> { loop {} }, -> { stubborn }, -> { fork { stubborn } }, -> {}].each do |work|
    fork do
      work.call
    ensure
      exit!(0)
    end
  end
  spawn('/bin/sleep', '600', pgroup: true)
  sleep 0.1
  { left: true }
end
