# Leaves methods replaced: those with which a runtime reads, writes and answers.
def main(args)
  $VERBOSE = nil
  class << JSON
    def generate(*) = '{"patched":true}'
    def parse(*) = { 'patched' => true }
  end
  IO.class_eval do
    def sysread(*) = raise
    def syswrite(*) = 0
    def write(*) = 0
    def flush = raise
  end
  Array.class_eval { def pack(*) = 'patched' }
  String.class_eval { def unpack1(*) = 0 }
  Exception.class_eval { def full_message(**) = raise }
  Random.define_singleton_method(:urandom) { |_| 'x' }
  Kernel.module_eval { def raise(*) = nil }
  { left: true }
end
