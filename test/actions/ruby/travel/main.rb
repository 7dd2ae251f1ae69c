# Finds the cheapest way between two towns: an archive with files of its own and data.
require_relative 'planner/search'

def plan(args)
  via, cents = Planner.search(File.join(__dir__, 'planner/fares.csv'), args['start'], args['end'])
  return { error: "no way from #{args['start']} to #{args['end']}" } if via.nil?
  { via: via, price: format('%d,%02d €', *cents.divmod(100)), file: File.basename(__FILE__) }
end
