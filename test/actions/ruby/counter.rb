# Counts its calls in every place where an action can keep a number.
class Calls
  @@count = 0
  def self.count = @@count += 1
end

$names = []

def main(args)
  $names << args['name']
  ENV['CALLS'] = (ENV['CALLS'].to_i + 1).to_s
  { calls: Calls.count, environment: ENV['CALLS'], first: $names.first, thread: Thread.current[:calls] = Thread.current[:calls].to_i + 1 }
end
