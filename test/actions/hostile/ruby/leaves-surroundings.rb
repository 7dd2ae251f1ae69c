# Leaves another working directory, file mode mask, environment and interpreter settings.
def main(args)
  ENV.update('LEFT' => args['marker'], 'PATH' => '/nowhere', 'LD_PRELOAD' => '/tmp/left.so', 'RUBYOPT' => '-w', 'TZ' => 'Asia/Tokyo')
  ENV.delete('HOME')
  Time.now.zone
  File.umask(0o777)
  $LOAD_PATH.unshift('/tmp/left')
  ARGV << args['marker']
  $0 = args['marker']
  $VERBOSE = true
  $stdout.sync = false
  $, = nil
  GC.disable
  GC.stress = false
  Warning[:deprecated] = true
  Thread.abort_on_exception = true
  Thread.report_on_exception = false
  Encoding.default_internal = Encoding::UTF_16LE
  Encoding.default_external = Encoding::ISO_8859_1
  Dir.chdir('/tmp')
  { left: true }
end
