# Reads its settings from the environment, while it is loaded and while it runs.
require 'json'

STAGE = ENV.fetch('STAGE')
LIMITS = JSON.parse(ENV.fetch('LIMITS'), symbolize_names: true)

def main(args)
  {
    stage: STAGE, limits: LIMITS, verbose: ENV['VERBOSE'], params: args.keys.sort,
    activation: !ENV['__OW_ACTIVATION_ID'].to_s.empty?, deadline: ENV['__OW_DEADLINE'].to_i > 1_700_000_000_000
  }
end
