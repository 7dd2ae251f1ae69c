# Leaves files required, methods intercepted, constants replaced, and hooks under everything that runs.
def main(args)
  %w[drb rexml/document matrix prime readline pstore weakref coverage].each do |name|
    require name
  rescue LoadError
    next
  end
  $VERBOSE = nil
  Object.const_set(:JSON, args['marker'])
  Kernel.prepend(Module.new { def require(*) = false })
  Object.prepend(Module.new { def inspect = 'left' })
  String.class_eval { def bytesize_left = bytesize }
  $LOADED_FEATURES << '/tmp/left.rb'
  autoload(:LeftBehind, '/tmp/left.rb')
  at_exit { puts args['marker'] }
  $trace = TracePoint.new(:raise) {}.tap(&:enable)
  set_trace_func(nil)
  trace_var(:$left) {}
  ObjectSpace.define_finalizer(+'left', proc { puts args['marker'] })
  { left: true }
end
