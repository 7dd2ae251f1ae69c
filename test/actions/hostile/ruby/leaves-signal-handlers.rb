# Leaves every signal handled or ignored, and some pending.
def main(args)
  left = (1..64).count do |number|
    number.odd? ? trap(number, 'IGNORE') : trap(number) {}
    true
  rescue ArgumentError, SystemCallError
    false
  end
  %i[USR1 USR2 CHLD].each { |name| Process.kill(name, Process.pid) }
  { left: left.positive? }
end
