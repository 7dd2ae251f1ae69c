# Leaves a value on every module and class that takes one, and globals.
def main(args)
  $left = args['marker']
  left = ObjectSpace.each_object(Module).count do |one|
    next if one.singleton_class?
    one.instance_variable_set(:@left, args['marker'])
    one.const_set(:LEFT, args['marker'])
    one.define_method(:left_behind) { args['marker'] }
  rescue StandardError
    nil
  end
  { left: left.positive? }
end
